"""Who makes a call: access keys, the policies of their principals, and the signatures made with them."""
