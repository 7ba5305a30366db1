//! Formulas: Python expressions over numbers, worked out exactly.
//!
//! A formula is parsed by the parser of Ruff, the Python linter, so that what people have written for Python means what it means
//! there. What is more than arithmetic is refused when the configuration is checked. Nothing is rounded on the way: what is no decimal of
//! 38 digits is a fraction of two integers, and a quotient without end is cut once, at the end.
//!
//! | module | subject |
//! |---|---|
//! | `parse` | from the text to a tree of what is allowed |
//! | `levels` | how deep a text is nested, before it is parsed |
//! | `number` | numbers as Python writes them |
//! | `evaluate` | from a tree and the variables to a number |
//! | `exact` | numbers with the operations of Python |
//! | `fraction` | those that are no decimals, and bounds on their size |

mod evaluate;
mod exact;
mod fraction;
mod levels;
mod number;
mod parse;

use std::ops::Range;

use meterhost_sdk::Decimal;

pub(crate) use exact::Exact;
pub(crate) use parse::is_name;

/// A formula that can be worked out.
#[derive(Debug)]
pub(crate) struct Formula {
    source: String,
    root: Node,
    variables: Vec<Variable>,
}

/// A name in a formula that stands for a number.
#[derive(Debug)]
pub(crate) struct Variable {
    pub(crate) name: String,
    /// Where it stands first.
    place: Place,
}

/// The bytes of the formula's text.
type Place = Range<usize>;

/// A part of a formula.
#[derive(Debug)]
enum Node {
    Number(Exact),
    /// By its number among the variables.
    Variable(usize),
    Negative(Box<Node>),
    Not(Box<Node>),
    /// Operations from left to right, as `a - b + c`: one level, however many there are.
    Chain(Box<Node>, Vec<Link>),
    /// As in `a < b <= c`: all must hold.
    Compare(Box<Node>, Vec<(Comparison, Node)>),
    /// The first that is 0, else the last.
    And(Vec<Node>),
    /// The first that is not 0, else the last.
    Or(Vec<Node>),
    If {
        test: Box<Node>,
        then: Box<Node>,
        otherwise: Box<Node>,
    },
    Call(Function, Vec<Node>, Place),
}

/// An operator with what stands at its right, and where that is.
#[derive(Debug)]
struct Link {
    operator: Operator,
    right: Node,
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    NotEqual,
    Less,
    AtMost,
    More,
    AtLeast,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Function {
    Abs,
    Float,
    Int,
    Max,
    Min,
    Round,
}

impl Formula {
    /// Reads a formula. The error completes "formulas\[0\].formula: ...".
    pub(crate) fn new(source: &str) -> Result<Self, String> {
        parse::formula(source)
    }

    /// The names that stand for numbers, each once, in the order in which they come.
    pub(crate) fn variables(&self) -> &[Variable] {
        &self.variables
    }

    /// Whether it is not 0 where all of its variables are: then it bills who has no usage of them.
    pub(crate) fn bills_idle(&self) -> bool {
        let zeros: Vec<Exact> = self.variables.iter().map(|_| Exact::zero()).collect();
        self.evaluate(&zeros).is_ok_and(|result| !result.is_zero())
    }

    /// A variable's first place, for a person.
    pub(crate) fn shown(&self, variable: &Variable) -> String {
        shown(&self.source, &variable.place)
    }

    /// Works it out. `values` are the variables', in their order. The error is the reason of a doubt.
    pub(crate) fn evaluate(&self, values: &[Exact]) -> Result<Decimal, String> {
        let result = evaluate::node(&self.root, values).map_err(|failure| {
            format!("the formula fails: {} {}", failure.trouble, shown(&self.source, &failure.place))
        })?;
        result.to_decimal().map_err(|trouble| format!("the formula fails: {trouble}"))
    }
}

/// A part of a formula with its place: `("a / b" at character 5)`.
fn shown(source: &str, place: &Place) -> String {
    /// So that a message stays readable.
    const MOST: usize = 60;
    let before = source.get(..place.start).map_or(0, |before| before.chars().count());
    let text = source.get(place.clone()).unwrap_or_default();
    let cut = text.char_indices().nth(MOST).map(|(end, _)| end);
    let (text, dots) = (text.get(..cut.unwrap_or(text.len())).unwrap_or_default(), cut.map_or("", |_| "..."));
    format!("({:?} at character {})", format!("{text}{dots}"), before + 1)
}
