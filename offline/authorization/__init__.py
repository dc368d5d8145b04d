"""What the role of a function allows: every call under its temporary credentials is held against its policies.

Only credentials that the sandbox handed to a function are looked at. Everybody else may do everything here, as the
person who owns the machine.
"""
