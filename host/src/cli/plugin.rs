//! `meterhost plugin`: what plugins there are, and what one says about itself.

use std::fmt::Write as _;

use serde_json::json;

use super::Global;
use super::shared::{Refused, Workshop, print};
use crate::config::PluginRef;
use crate::plugin::{Capability, Need, Plugin};
use crate::report::{Exit, Problem, document};

/// Commands about plugins.
#[derive(Debug, clap::Subcommand)]
pub(super) enum PluginCommand {
    /// Lists the plugins in the plugin folders
    List,
    /// Shows what a plugin says about itself: what it needs, and its configuration
    Inspect {
        /// A name from the plugin folders, or a path
        #[arg(value_name = "NAME|PATH.wasm")]
        plugin: String,
    },
}

pub(super) fn plugin(command: &PluginCommand, global: &Global) -> Result<Exit, Refused> {
    let workshop = Workshop::open(global)?;
    match command {
        PluginCommand::List => list(&workshop, global),
        PluginCommand::Inspect { plugin } => inspect(&workshop, plugin, global),
    }
}

fn list(workshop: &Workshop, global: &Global) -> Result<Exit, Refused> {
    let mut text = String::new();
    let mut documents = Vec::new();
    let mut exit = Exit::Final;
    for (name, path) in workshop.folders.all() {
        match Plugin::load(&workshop.engine, &path, &workshop.broker) {
            Ok(plugin) => {
                let description = plugin.description();
                let role = plugin.role().as_str();
                // Writing into a string cannot fail.
                let _ = writeln!(text, "{:<20} {:<10} {:<13} {}", name, description.version, role, description.purpose);
                documents.push(json!({
                    "name": name,
                    "version": description.version,
                    "role": role,
                    "purpose": description.purpose,
                    "path": path,
                    "sha256": plugin.digest(),
                }));
            }
            Err(error) => {
                exit = Exit::Plugin;
                let _ = writeln!(text, "{name:<20} cannot be used: {}", plain(&error.to_string()));
                for cause in error.causes().iter().filter(|_| global.verbose > 0) {
                    let _ = writeln!(text, "{:<20} because: {}", "", plain(cause));
                }
                documents.push(json!({ "name": name, "path": path, "error": error.to_string() }));
            }
        }
    }
    if text.is_empty() {
        let folders: Vec<_> = workshop.folders.folders().iter().map(|folder| folder.display().to_string()).collect();
        let _ = writeln!(text, "there are no plugins in {}; --plugin-dir names another folder", folders.join(", "));
    }
    match global.json {
        true => print(&document(&json!({ "plugins": documents }))),
        false => print(&text),
    }
    Ok(exit)
}

fn inspect(workshop: &Workshop, name: &str, global: &Global) -> Result<Exit, Refused> {
    let named = match name.contains('/') || name.ends_with(".wasm") {
        true => PluginRef::Path(name.into()),
        false => PluginRef::Named(name.to_owned()),
    };
    let path = workshop.folders.find(&named)?;
    let plugin = Plugin::load(&workshop.engine, &path, &workshop.broker).map_err(|error| match error {
        // It names the file itself.
        error if error.is_configuration() => Refused::from(error),
        error => {
            let problem = Problem {
                plugin: Some(path.display().to_string()),
                step: Some("loading".to_owned()),
                causes: error.causes(),
                ..Problem::new("plugin-unusable", error.to_string())
            };
            Refused::Problems(Exit::Plugin, vec![problem])
        }
    })?;
    let description = plugin.description();
    let schema: serde_json::Value = serde_json::from_str(&description.config_schema).unwrap_or_default();
    if global.json {
        let needs: Vec<_> = description
            .needs
            .iter()
            .map(|need| json!({ "grant": granted(need), "purpose": need.purpose, "optional": need.optional }))
            .collect();
        let document = json!({
            "name": description.name,
            "version": description.version,
            "role": plugin.role().as_str(),
            "purpose": description.purpose,
            "path": path,
            "sha256": plugin.digest(),
            "needs": needs,
            "config_schema": schema,
        });
        print(&format!("{document:#}\n"));
        return Ok(Exit::Final);
    }
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(text, "{}, {}: {}", plugin.label(), plugin.role().as_str(), description.purpose);
    let _ = writeln!(text, "file    {}", path.display());
    let _ = writeln!(text, "sha256  {}", plugin.digest());
    for need in &description.needs {
        let optional = if need.optional { " (optional)" } else { "" };
        let _ = writeln!(text, "needs   {}{optional}, to {}", granted(need), need.purpose);
    }
    let _ = writeln!(text, "config  as a JSON Schema:\n{schema:#}");
    print(&text);
    Ok(Exit::Final)
}

/// An error without what a terminal would obey: it may repeat names out of the file.
fn plain(error: &str) -> String {
    error.replace(char::is_control, " ")
}

fn granted(need: &Need) -> String {
    match &need.capability {
        Capability::Read => "grant.read".to_owned(),
        Capability::Write => "grant.write".to_owned(),
        Capability::Http(what) => format!("grant.http ({what})"),
        Capability::Secret(name) => format!("grant.secrets.{name}"),
        Capability::Aws(action) => format!("grant.aws (\"{action}\")"),
        Capability::Other(what) => what.clone(),
    }
}
