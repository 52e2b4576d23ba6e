"""What may happen to a listing, made to happen: every fault as a test, named after its row in docs/reliability."""
