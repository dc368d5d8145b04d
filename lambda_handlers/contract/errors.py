"""What can be wrong with a file that this contract describes.

ContractError           a file or value breaks the contract; the message says which, why and the next step
"""


class ContractError(Exception):
    """A bundle, lock or build manifest is not what its reader was promised."""
