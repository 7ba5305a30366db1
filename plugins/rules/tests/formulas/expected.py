"""Works out formulas with Python's own fractions, which share no code with the plugin: python3 expected.py > exact.txt

The variables are those of tests/formulas.rs. Literals are read as fractions from the text, so that nothing is a float.
"""

import ast
import random
from fractions import Fraction

VARIABLES = {"a": "7", "b": "-2.5", "c": "0.01", "d": "9007199254740993", "e": "1073741824", "z": "0"}

CHOSEN = """
0.29 / 0.01
d
d / 1
(d - 1) / 2
a / 3
a / 3 * 3
1 / 3 + 1 / 3 + 1 / 3 + z
int(1 / 3 * 3 + z)
0.1 + 0.2 - 0.3 + z
-2 ** 2 + z
(-2) ** 2 + z
2 ** 3 ** 2 + z
2 ** -1 + z
2 ** -2 ** 1 + z
a ** 2
a ** 0
z ** 0
b ** 3
b ** -1
10 ** 37 + z
10 ** -30 + z
a // 2
-a // 2
a // -2
b // 1
b // c
a % 3
-a % 3
a % -3
-a % -3
b % 1
a % 2.5
d % 10
d // 1000 * 1000 + d % 1000
7 // 2 * 2 + 7 % 2 + z
int(b)
int(-b)
int(a / 2)
int(-a / 2)
int(0.99999999999999999999999999999999 + z)
round(b)
round(-b)
round(0.5 + z)
round(1.5 + z)
round(2.5 + z)
round(-0.5 + z)
round(-1.5 + z)
round(2.675 + z, 2)
round(2.665 + z, 2)
round(-2.665 + z, 2)
round(a / 3, 4)
round(d, -3)
round(d, -20)
round(1250 + z, -2)
round(1350 + z, -2)
round(a / 3, ndigits=2)
float(a) / 2
abs(b)
abs(-b)
min(a, b, c)
max(a, b, c)
min(a, a)
max(b * b, a)
max(z, b)
max(0, b) + 1
a if a > 5 else b
a if a < 5 else b
1 / z if z else a
z and 1 / z
a or 1 / z
z or c
a and c
not a
not z
not a == 7
0 < c < 1 < a
0 < c < 0.001 < a
a == 7.0
a != 7.0
a >= 7 and a <= 7
(a > 5) * 10
(a > 5) + (b < 0) + (c == 0.01)
+a - -a
- - a
--b
+ + b
a - b - c
a - (b - c)
a / b / c
a * c / b * a
a + b * c ** 2 / 4 % 3 // 1
1_000 * a
0x10 * a
.5 * a
5. * a
1e3 * a
1.5e-3 * a
e / 1073741824
e / 1024 / 1024 / 1024
d / e
d * e
d * d
d / 7
1 / d
1 / 7 * 7 + z
c ** 19
c ** 20
1 / (c ** 19)
2 / 3 * 10 ** 37 + z
100 / 8 + z
a / 14
0.1 / 14 + z
1e-38 / 3 + z
1 / 1024 ** 2 + z
1e-39 + z
(a + 0.5) // 1 if round(a, 0) == int(a) else 1 / z
1 / z
1 // z
1 % z
0 ** -1 + z / 1
z ** -1
a / (a - 7)
9 ** 99 + z
9 ** 99 / 9 ** 99 + z
10 ** 38 + z
99999999999999999999999999999999999999 + z
99999999999999999999999999999999999999 + z + 1
50000000000000000000000000000000000000 / 3 + z
(
    a  # the pods
    + b
) / 2
""".strip().split("\n")


def joined(lines):
    """A formula in parentheses may go on for several lines; it is written on one, with \\n."""
    formula = ""
    for line in lines:
        formula = formula + "\\n" + line if formula else line
        if formula.count("(") == formula.count(")"):
            yield formula
            formula = ""


class Exactly(ast.NodeTransformer):
    def __init__(self, source):
        self.source = source

    def visit_Constant(self, node):
        text = ast.get_source_segment(self.source, node).replace("_", "")
        text = str(int(text, 16)) if text.startswith("0x") else text
        call = ast.Call(ast.Name("Fraction", ast.Load()), [ast.Constant(text)], [])
        return ast.copy_location(call, node)

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.op, ast.Pow):
            call = ast.Call(ast.Name("power", ast.Load()), [node.left, node.right], [])
            return ast.copy_location(call, node)
        return node


def power(base, exponent):
    assert Fraction(exponent).denominator == 1
    return Fraction(base) ** int(exponent)


def rounded(number, ndigits=0):
    return Fraction(round(Fraction(number), int(ndigits)))


def cut(number):
    """With 38 digits: exact if they hold the number, else toward zero, and away from a 0 or a 5 at the end (ROUND_05UP)."""
    number = Fraction(number)
    whole = abs(number.numerator) // number.denominator
    scale = 38 - (len(str(whole)) if whole else 0)
    if scale < 0:
        return None
    digits, rest = divmod(abs(number.numerator) * 10**scale, number.denominator)
    if rest and scale == 0:
        return None
    digits += 1 if rest and digits % 5 == 0 else 0
    text = str(digits).rjust(scale + 1, "0")
    text = f"{text[:len(text) - scale]}.{text[len(text) - scale:]}".rstrip("0").rstrip(".")
    return f"-{text}" if number < 0 else text


def result(formula):
    names = {name: Fraction(value) for name, value in VARIABLES.items()}
    names |= {"Fraction": Fraction, "power": power, "abs": abs, "min": min, "max": max, "round": rounded}
    names |= {"int": lambda number: Fraction(int(number)), "float": Fraction}
    source = formula.replace("\\n", "\n")
    tree = ast.fix_missing_locations(Exactly(source).visit(ast.parse(source, mode="eval")))
    try:
        return cut(eval(compile(tree, "formula", "eval"), names)) or "!"
    except ZeroDivisionError:
        return "!"


def drawn(generator, depth):
    if depth == 0 or generator.random() < 0.15:
        return generator.choice([*VARIABLES, *VARIABLES, "1", "2", "0.5", "3", "0.29", "1e2", "7", "10.75"])
    part = lambda: drawn(generator, depth - 1)
    kind = generator.randrange(12)
    if kind < 6:
        return f"({part()} {generator.choice(['+', '-', '*', '/', '//', '%'])} {part()})"
    if kind == 6:
        return f"{part()} {generator.choice(['+', '-', '*', '/'])} {part()}"
    if kind == 7:
        return f"({part()}) ** {generator.choice(['2', '3', '-1', '0'])}"
    if kind == 8:
        return f"({generator.choice(['abs', 'int', 'float', 'round', '-', 'not '])}({part()}))"
    if kind == 9:
        return f"round({part()}, {generator.choice(['2', '0', '-1', '5'])})"
    if kind == 10:
        return f"{generator.choice(['min', 'max'])}({part()}, {part()})"
    return f"({part()} if {part()} {generator.choice(['<', '>=', '==', 'and', 'or'])} {part()} else {part()})"


def main():
    generator = random.Random(1)
    formulas = list(joined(CHOSEN))
    while len(formulas) < 400:
        formula = drawn(generator, 3)
        if formula not in formulas and len(formula) > 4:
            formulas.append(formula)
    for formula in formulas:
        print(f"{formula} => {result(formula)}")


main()
