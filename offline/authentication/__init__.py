"""Who makes a call: access keys, and the signatures made with them."""
