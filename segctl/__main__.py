"""`python -m segctl`."""

import sys

from segctl.cli.main import main

sys.exit(main())
