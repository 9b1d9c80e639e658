"""What `agcod certify` sends and expects, as data, and how it is carried out and reported."""
