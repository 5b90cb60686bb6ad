"""One physical array and its edge circuits."""
