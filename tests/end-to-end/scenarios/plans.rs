//! A plan shows what the run then does.

use serde_json::{Map, Value, json};

/// Where they differ.
pub(super) fn came_true(plan: &Value, run: &Value) -> Result<(), String> {
    for part in ["exit", "windows", "problems"] {
        let [plan, run] = [plan, run].map(|report| said(&report[part]));
        if plan != run {
            return Err(format!("a plan shows other {part} than the run\nplan: {plan:#}\nrun: {run:#}"));
        }
    }
    Ok(())
}

/// Without what a run alone can know: which id is frozen by now, and the service's own name for it.
fn said(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(said).collect(),
        Value::Object(fields) => {
            // Why it was not billed before, a run that bills it does not say.
            let is_billed = ["would-bill", "billed"].iter().any(|state| fields.get("state") == Some(&json!(state)));
            let unknown = |name: &str| ["id", "would_be", "reference"].contains(&name) || name == "reason" && is_billed;
            let kept = fields.iter().filter(|(name, _)| !unknown(name));
            Value::Object(kept.map(|(name, value)| (name.clone(), said(value))).collect::<Map<String, Value>>())
        }
        Value::String(text) if text == "would-bill" => json!("billed"),
        other => other.clone(),
    }
}
