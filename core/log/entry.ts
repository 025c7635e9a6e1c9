/** An entry: a batch of records, one line of JSON each, in the order in which their author made them. */
