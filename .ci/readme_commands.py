"""Print the two set-up commands of README.md, the example's first, one a line.

The checks run these lines, so what README.md promises is what is checked.
"""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def set_up_commands(text: str) -> list[str]:
    """Give the commands in the bash blocks of the section "Set up"."""
    section = text.partition("\n## Set up\n")[2].partition("\n## ")[0]
    return [block.strip() for block in re.findall(r"^```bash\n(.*?)^```$", section, flags=re.MULTILINE | re.DOTALL)]


def main() -> None:
    commands = set_up_commands(README.read_text(encoding="utf-8"))
    if len(commands) != 2 or any("\n" in command for command in commands):
        raise SystemExit(f"README.md must have two bash blocks of one line each under 'Set up', found {commands}")
    print("\n".join(commands))


if __name__ == "__main__":
    main()
