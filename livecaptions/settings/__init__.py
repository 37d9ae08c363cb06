"""What an operator can set: the fields, where their values come from, and their flags."""
