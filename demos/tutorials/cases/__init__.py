"""Every statement of the three tutorials that can be checked, as a case; `CASES` holds them all.

The statements of the first tutorial about XOR, and those of the third tutorial about its 2-2-2 example, have modules of
their own. `tutorials/errata.py` computes and reports the cases.
"""

from demos.tutorials.cases.first import FIRST
from demos.tutorials.cases.first_xor import XOR
from demos.tutorials.cases.second import SECOND
from demos.tutorials.cases.third import THIRD
from demos.tutorials.cases.third_example import TWO_OUTPUTS

CASES = (*FIRST, *XOR, *SECOND, *THIRD, *TWO_OUTPUTS)
