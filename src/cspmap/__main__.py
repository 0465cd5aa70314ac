"""`python -m cspmap`: the command line, where its script is not on the path."""

from cspmap.cli import main

if __name__ == "__main__":
    main()
