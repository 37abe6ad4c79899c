"""What a person should know of a prepared data set, figure by figure."""
