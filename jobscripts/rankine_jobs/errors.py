"""What a user gave and cannot be used; messages say what happened, where (why). What to do."""


class InputError(Exception):
    """Ends the command with exit code 2."""


class Problems:
    """Collects the problems of one input, so that a user sees all of them at once."""

    def __init__(self):
        self.messages: list[str] = []

    def add(self, what: str, where: str, why: str, advice: str) -> None:
        self.messages.append(f"{what}, {where} ({why}). {advice}")

    def raise_if_any(self) -> None:
        if len(self.messages) == 1:
            raise InputError(self.messages[0])
        if self.messages:
            raise InputError(f"{len(self.messages)} problems in the input:\n" + "\n".join(f"  {one}" for one in self.messages))
