"""Named writes of brokers: journeys, and the accounts that they lead to."""
