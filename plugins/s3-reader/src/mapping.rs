//! Which fields of a record are wanted: a tree of keys that is walked while a record is read.

use std::collections::BTreeMap;

use meterhost_sdk::{Decimal, Error};

use crate::config::{CapturePick, Config, ConstantPick, FieldPick, Pick, TimePick, Unit};
use crate::layout::Layout;

/// A configuration, compiled.
#[derive(Debug)]
pub(crate) struct Mapping {
    pub(crate) layout: Layout,
    pub(crate) tree: Tree,
    pub(crate) time: Time,
    pub(crate) customer: From,
    pub(crate) product: Option<From>,
    pub(crate) id: Option<From>,
    pub(crate) measured: Measured,
    pub(crate) attributes: Vec<(String, From)>,
}

/// Where the time comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Time {
    Path,
    /// A text as in RFC 3339, in this slot.
    Text(usize),
    /// A number, in this slot.
    Epoch(usize, Unit),
}

/// Where a text comes from.
#[derive(Debug, Clone)]
pub(crate) enum From {
    Slot(usize),
    Capture(usize),
    Constant(String),
}

/// What a record measures.
#[derive(Debug)]
pub(crate) enum Measured {
    /// One dimension, which it names itself.
    One { dimension: From, quantity: Amount },
    /// Several, which the configuration names.
    Several(Vec<(String, Amount)>),
}

/// Where a quantity comes from.
#[derive(Debug, Clone)]
pub(crate) enum Amount {
    From(From),
    Constant(Decimal),
}

/// The wanted fields, by the keys that lead to them. Node 0 is the record itself.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) nodes: Vec<Node>,
    /// The pointer of each slot, for messages.
    pub(crate) slots: Vec<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) children: Vec<(String, Child)>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Child {
    Slot(usize),
    Node(usize),
}

impl Mapping {
    /// Compiles a configuration. The error names the key at fault.
    pub(crate) fn new(config: &Config) -> Result<Mapping, Error> {
        Self::compiled(config).map_err(Error::Config)
    }

    fn compiled(config: &Config) -> Result<Mapping, String> {
        let layout = Layout::parse(&config.layout)?;
        let mut tree = Tree { nodes: vec![Node::default()], slots: Vec::new() };
        let fields = &config.fields;
        let time = match &fields.time {
            TimePick::Short(path) if path == "path" && layout.has_time() => Time::Path,
            TimePick::Short(path) if path == "path" => {
                return Err("fields.time: \"path\" needs {yyyy} in `layout`".to_owned());
            }
            TimePick::Short(pointer) => Time::Text(tree.slot("fields.time", pointer)?),
            TimePick::Epoch(epoch) => Time::Epoch(tree.slot("fields.time", &epoch.field)?, epoch.unit),
        };
        let mut from = |key: &str, pick: &Pick| source(key, pick, &layout, &mut tree);
        let customer = from("fields.customer", &fields.customer)?;
        let product = fields.product.as_ref().map(|pick| from("fields.product", pick)).transpose()?;
        let id = fields.id.as_ref().map(|pick| from("fields.id", pick)).transpose()?;
        let measured = match (&fields.dimension, &fields.quantity, fields.dimensions.is_empty()) {
            (Some(dimension), Some(quantity), true) => Measured::One {
                dimension: from("fields.dimension", dimension)?,
                quantity: amount("fields.quantity", from("fields.quantity", quantity)?)?,
            },
            (None, None, false) => Measured::Several(several(&fields.dimensions, &mut from)?),
            (_, _, false) => return Err("fields: either `dimension` and `quantity`, or `dimensions`".to_owned()),
            (None, _, true) => return Err("fields: `dimension` is missing".to_owned()),
            (_, None, true) => return Err("fields: `quantity` is missing".to_owned()),
        };
        let attributes = config
            .attributes
            .iter()
            .map(|(name, pick)| Ok((name.clone(), from(&format!("attributes.{name}"), pick)?)))
            .collect::<Result<_, String>>()?;
        Ok(Mapping { layout, tree, time, customer, product, id, measured, attributes })
    }
}

fn several(
    dimensions: &BTreeMap<String, Pick>,
    from: &mut impl FnMut(&str, &Pick) -> Result<From, String>,
) -> Result<Vec<(String, Amount)>, String> {
    dimensions
        .iter()
        .map(|(name, pick)| {
            let key = format!("fields.dimensions.{name}");
            if name.is_empty() {
                return Err(format!("{key}: a dimension has a name"));
            }
            Ok((name.clone(), amount(&key, from(&key, pick)?)?))
        })
        .collect()
}

fn amount(key: &str, from: From) -> Result<Amount, String> {
    match from {
        From::Constant(text) => match Decimal::parse(&text) {
            Ok(decimal) => Ok(Amount::Constant(decimal)),
            Err(error) => Err(format!("{key}: `{text}`: {error}")),
        },
        from => Ok(Amount::From(from)),
    }
}

fn source(key: &str, pick: &Pick, layout: &Layout, tree: &mut Tree) -> Result<From, String> {
    let capture = |name: &str| {
        layout.capture(name).map(From::Capture).ok_or_else(|| format!("{key}: `layout` has no capture {{{name}}}"))
    };
    match pick {
        Pick::Short(text) if text.starts_with('/') => tree.slot(key, text).map(From::Slot),
        Pick::Short(text) => match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            Some(name) => capture(name),
            None => Err(format!(
                "{key}: `{text}` is neither a JSON pointer such as \"/customer\" nor a capture such as \"{{tenant}}\"; a constant is \
                 {{ constant = \"{text}\" }}"
            )),
        },
        Pick::Field(FieldPick { field }) => tree.slot(key, field).map(From::Slot),
        Pick::Capture(CapturePick { capture: name }) => capture(name),
        Pick::Constant(ConstantPick { constant }) if constant.is_empty() => {
            Err(format!("{key}: a constant is not empty"))
        }
        Pick::Constant(ConstantPick { constant }) => Ok(From::Constant(constant.clone())),
    }
}

impl Tree {
    /// The slot of a JSON pointer (RFC 6901).
    fn slot(&mut self, key: &str, pointer: &str) -> Result<usize, String> {
        if let Some(known) = self.slots.iter().position(|known| known == pointer) {
            return Ok(known);
        }
        let Some(path) = pointer.strip_prefix('/') else {
            return Err(format!("{key}: `{pointer}` is no JSON pointer: it begins with `/`"));
        };
        let parts: Vec<String> = path.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
        let slot = self.slots.len();
        let mut node = 0;
        for (position, part) in parts.iter().enumerate() {
            let last = position + 1 == parts.len();
            let known = self.nodes.get(node).and_then(|node| node.children.iter().find(|(name, _)| name == part));
            node = match (known.map(|(_, child)| *child), last) {
                (Some(Child::Node(next)), false) => next,
                (Some(_), _) => {
                    return Err(format!(
                        "{key}: `{pointer}` leads through a field that is picked as a whole, or is led through"
                    ));
                }
                (None, true) => {
                    self.add(node, part, Child::Slot(slot));
                    node
                }
                (None, false) => {
                    let next = self.nodes.len();
                    self.nodes.push(Node::default());
                    self.add(node, part, Child::Node(next));
                    next
                }
            };
        }
        self.slots.push(pointer.to_owned());
        Ok(slot)
    }

    fn add(&mut self, node: usize, part: &str, child: Child) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.children.push((part.to_owned(), child));
        }
    }
}
