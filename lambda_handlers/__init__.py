"""What runs inside Lambda, and the contract that build and deploy time share with it."""
