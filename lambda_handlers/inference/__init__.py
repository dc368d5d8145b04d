"""Answers predictions inside Lambda: `handler` is the entry, `scoring` the one implementation.

handler -> instrumented -> endpoint                  one log line a request
endpoint -> events -> scoring                        the hot route, POST /predict
endpoint -> asgi -> api -> scoring                   everything else, through FastAPI
scoring = fast_decoder or validation_errors (parse, validate) -> tensors -> session -> predict_response (encode)
"""
