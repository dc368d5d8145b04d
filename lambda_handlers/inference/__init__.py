"""What answers predictions inside Lambda: `handler` is the entry, `scoring` the one implementation of it.

handler -> events -> scoring                 the hot route, POST /predict
handler -> face -> api -> scoring            everything else, through FastAPI
scoring = intake (parse, validate) -> tensors -> session -> answers (encode)
"""
