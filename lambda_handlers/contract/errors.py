"""Errors in a file that this contract describes.

ContractError           a file or value breaks the contract; the message names it, the reason and the next step
"""


class ContractError(Exception):
    """A bundle, lock or build manifest does not follow the contract."""
