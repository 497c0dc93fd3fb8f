"""Which single marks are apostrophes, and which enclose a quotation.

Tables for Python and for the graph, as in `characters`: patterns of what
stands before and after a mark, all of which are written alike by then.
"""

from visualpoet.corpus.characters import IN_WORD

# Words that begin with an apostrophe.
ELISIONS = (
    "ad|ave|bout|cause|cept|cos|cross|d|e|em|en|er|fore|gainst|gan|gins|im|ll|"
    "m|mid|midst|mong|mongst|n|nd|neath|ome|ow|pon|re|round|s|scape|st|t|tain|"
    "til|till|tis|tisn|twas|twasn|tween|twere|twill|twixt|twould|ve"
)
# Signs that folding leaves in no text: an apostrophe, and what is one or ends
# a quotation, as that of the dogs' tails.
SURELY, PERHAPS = "\u2019", "\u2018"
_LETTER = f"[{IN_WORD}]"
BEGINS, ENDS = f"(?:^|[^{IN_WORD}])", f"(?:[^{IN_WORD}]|$)"
_SHORTENED = rf"(?:\p{{L}}{{2}}in|{BEGINS}(?:an|i|mo|o|ol|th|wi))"
APOSTROPHES = (
    (BEGINS, f"(?:{ELISIONS}){ENDS}", SURELY),
    (_LETTER, _LETTER, SURELY),
    (_SHORTENED, r" +\p{L}", SURELY),
    ("s", r" +\p{L}", PERHAPS),
)
# What a mark at the beginning of a word encloses, the mark that ends it, and
# what stands behind that.
QUOTATIONS = (
    (r"\p{L}[^']*", "'", ENDS),
    (rf"\p{{L}}[^'\n{PERHAPS}]*", PERHAPS, ""),
)
