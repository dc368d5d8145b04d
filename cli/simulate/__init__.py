"""`serinus simulate`: days of live traffic against an endpoint and its monitor, in minutes.

run -> rows, drift      what is sent: rows like the reference's, or a table's, and what changes them
    -> record           what the monitor reported, hour by hour
record -> outcome       whether it found what it should have
outcome -> page         in words and drawings
"""
