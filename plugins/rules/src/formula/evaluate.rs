//! Works out a formula for one customer.

use super::exact::{Exact, Trouble};
use super::{Comparison, Function, Link, Node, Operator, Place};

/// Why a formula has no result for these variables, and at which part.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) trouble: Trouble,
    pub(super) place: Place,
}

/// The value of a part.
pub(super) fn node(node: &Node, values: &[Exact]) -> Result<Exact, Failure> {
    let value = |part: &Node| self::node(part, values);
    Ok(match node {
        Node::Number(number) => number.clone(),
        // The parser has numbered them.
        Node::Variable(number) => values.get(*number).cloned().unwrap_or_else(Exact::zero),
        Node::Negative(operand) => value(operand)?.negative(),
        Node::Not(operand) => Exact::truth(value(operand)?.is_zero()),
        Node::Chain(first, links) => {
            let mut left = value(first)?;
            for Link { operator, right, place } in links {
                let failed = |trouble| Failure { trouble, place: place.clone() };
                left = apply(*operator, &left, &value(right)?).map_err(failed)?;
            }
            left
        }
        Node::Compare(first, others) => {
            let mut left = value(first)?;
            for (comparison, right) in others {
                let right = value(right)?;
                if !holds(*comparison, &left, &right) {
                    return Ok(Exact::truth(false));
                }
                left = right;
            }
            Exact::truth(true)
        }
        Node::And(operands) => until(operands, values, Exact::is_zero)?,
        Node::Or(operands) => until(operands, values, |value| !value.is_zero())?,
        Node::If { test, then, otherwise } => value(if value(test)?.is_zero() { otherwise } else { then })?,
        Node::Call(function, arguments, place) => {
            let arguments = arguments.iter().map(value).collect::<Result<Vec<_>, _>>()?;
            call(*function, &arguments).map_err(|trouble| Failure { trouble, place: place.clone() })?
        }
    })
}

/// The first value that is as asked for, else the last. What follows is not worked out.
fn until(operands: &[Node], values: &[Exact], found: impl Fn(&Exact) -> bool) -> Result<Exact, Failure> {
    let mut last = Exact::zero();
    for operand in operands {
        last = node(operand, values)?;
        if found(&last) {
            break;
        }
    }
    Ok(last)
}

fn apply(operator: Operator, left: &Exact, right: &Exact) -> Result<Exact, Trouble> {
    match operator {
        Operator::Add => left.add(right),
        Operator::Subtract => left.subtract(right),
        Operator::Multiply => left.multiply(right),
        Operator::Divide => left.divide(right),
        Operator::FloorDivide => left.floor_divide(right),
        Operator::Remainder => left.remainder(right),
        Operator::Power => left.power(right),
    }
}

fn holds(comparison: Comparison, left: &Exact, right: &Exact) -> bool {
    match comparison {
        Comparison::Equal => left == right,
        Comparison::NotEqual => left != right,
        Comparison::Less => left < right,
        Comparison::AtMost => left <= right,
        Comparison::More => left > right,
        Comparison::AtLeast => left >= right,
    }
}

/// The parser has counted the arguments.
fn call(function: Function, arguments: &[Exact]) -> Result<Exact, Trouble> {
    let nothing = Exact::zero();
    let first = arguments.first().unwrap_or(&nothing);
    Ok(match function {
        Function::Abs => first.abs(),
        Function::Float => first.clone(),
        Function::Int => first.int(),
        Function::Max => arguments.iter().max().unwrap_or(first).clone(),
        Function::Min => arguments.iter().min().unwrap_or(first).clone(),
        Function::Round => first.round(arguments.get(1).unwrap_or(&nothing))?,
    })
}
