"""Whether all is tested that can be, which takes its time: before a release, `CI_FULL=1`."""

import os

FULL = os.environ.get("CI_FULL") == "1"
