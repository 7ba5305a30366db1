//! How much work a schema makes, counted before a validator sees it.
//!
//! A schema of a few lines can make a validator check one value 2^40 times, or run in a circle until the stack is gone. So the schema
//! is unrolled here along its `$ref`s, as deep as the settings that it is to check, and refused if that grows too large.

use std::collections::HashMap;

use serde_json::Value as Json;

const MOST: u64 = 50_000;
const DEEPEST: usize = 256;

/// Refuses a schema that is too costly for settings of this depth, with the reason.
pub(super) fn check_cost(schema: &Json, config: &Json) -> Result<(), String> {
    let mut unrolling = Unrolling { schema, known: HashMap::new() };
    let cost = unrolling.schema(schema, depth(config), 0)?;
    if cost > MOST {
        return Err("it repeats itself too often to be checked".to_owned());
    }
    Ok(())
}

fn depth(value: &Json) -> usize {
    match value {
        Json::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Json::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

struct Unrolling<'a> {
    schema: &'a Json,
    /// The cost of a `$ref` for values of a depth; nothing while it is being counted.
    known: HashMap<(&'a str, usize), Option<u64>>,
}

impl<'a> Unrolling<'a> {
    /// Checks that a schema makes of one value of this depth, `level` levels inside.
    fn schema(&mut self, schema: &'a Json, depth: usize, level: usize) -> Result<u64, String> {
        if level > DEEPEST {
            return Err("it is nested too deeply".to_owned());
        }
        let level = level + 1;
        match schema {
            Json::Array(several) => self.sum(several.iter(), depth, level),
            Json::Object(keywords) => {
                let mut cost: u64 = 1;
                for (keyword, value) in keywords {
                    cost = cost.saturating_add(self.keyword(keyword, value, depth, level)?);
                }
                Ok(cost)
            }
            _ => Ok(1),
        }
    }

    fn keyword(&mut self, keyword: &str, value: &'a Json, depth: usize, level: usize) -> Result<u64, String> {
        match (keyword, value) {
            ("$ref", Json::String(reference)) => self.reference(reference, depth, level),
            // These make a `$ref` mean something else than its text says.
            ("$dynamicRef" | "$recursiveRef", Json::String(_)) => Err(format!("it uses `{keyword}`")),
            ("$id", Json::String(_)) if level > 1 => Err("a part of it has an `$id`".to_owned()),
            ("$defs" | "definitions", _) => Ok(0),
            ("properties" | "patternProperties", Json::Object(by_name)) => match depth.checked_sub(1) {
                Some(depth) => self.sum(by_name.values(), depth, level),
                None => Ok(0),
            },
            ("dependentSchemas" | "dependencies", Json::Object(by_name)) => self.sum(by_name.values(), depth, level),
            (
                "additionalProperties"
                | "unevaluatedProperties"
                | "items"
                | "prefixItems"
                | "additionalItems"
                | "unevaluatedItems"
                | "contains",
                _,
            ) => match depth.checked_sub(1) {
                Some(depth) => self.schema(value, depth, level),
                None => Ok(0),
            },
            _ => self.schema(value, depth, level),
        }
    }

    fn sum(&mut self, schemas: impl Iterator<Item = &'a Json>, depth: usize, level: usize) -> Result<u64, String> {
        let mut cost: u64 = 0;
        for schema in schemas {
            cost = cost.saturating_add(self.schema(schema, depth, level)?);
        }
        Ok(cost)
    }

    fn reference(&mut self, reference: &'a str, depth: usize, level: usize) -> Result<u64, String> {
        match self.known.get(&(reference, depth)) {
            Some(Some(cost)) => return Ok(*cost),
            Some(None) => return Err("a `$ref` in it runs in a circle".to_owned()),
            None => {}
        }
        let target = reference.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer));
        let Some(target) = target else {
            return Err("a `$ref` in it leads outside or nowhere".to_owned());
        };
        self.known.insert((reference, depth), None);
        let cost = self.schema(target, depth, level)?;
        self.known.insert((reference, depth), Some(cost));
        Ok(cost)
    }
}
