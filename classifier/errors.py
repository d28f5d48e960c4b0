"""The one exception that users see: a sentence that says what is wrong and where."""


class InputError(ValueError):
    """Bad input from outside (a file, a row, an option, a model folder).

    The message is one sentence for the user. The command line prints it and exits with code 1.
    """
