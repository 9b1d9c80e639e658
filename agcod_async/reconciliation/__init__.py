"""The journal held against Amazon's books: values in, findings out. Nothing is sent or awaited."""
