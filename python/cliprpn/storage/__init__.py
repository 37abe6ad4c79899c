"""Files that outlive a process: durable writes, locks, keyed stores, weights."""
