"""`serinus predict`: rows from a file to an endpoint, and its predictions to the screen or a file.

run     -> rows, batches      a file's rows, checked against the served model, in requests within its limits
        -> output, progress   the predictions in a file that appears whole, and how far they are
batches -> sending            requests, repeated where that may help, and their errors in words
output  -> columns            the predictions' columns beside those of the rows
"""
