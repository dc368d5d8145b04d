"""`serinus predict`: rows from a file to an endpoint, and its predictions to the screen or a file.

rows    -> request_table    a table's rows as requests hold them, checked against the served model's signature
sending -> batches          requests within the endpoint's limits, repeated where that may help
output  -> columns          predictions beside the rows, in a file that appears whole
"""
