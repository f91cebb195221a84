"""tellapart: from a folder of pictures to a tested classifier."""
