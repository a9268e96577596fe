"""Named writes about people: one business verb each."""
