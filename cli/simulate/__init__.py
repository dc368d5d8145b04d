"""`serinus simulate`: days of live traffic against an endpoint and its monitor, in minutes.

run -> traffic -> rows, drift      what is sent: rows like the reference's, or a table's, with what changes them
run -> record                      what the monitor reported, hour by hour
record -> outcome, page            whether it found what it should have, in words and drawings
"""
