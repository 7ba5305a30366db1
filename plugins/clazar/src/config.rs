//! Where the service is, and which marketplace it bills on.

meterhost_sdk::config! {
    /// How charges reach Clazar.
    pub struct Config {
        /// The marketplace that the contracts were concluded on.
        #[serde(default)]
        pub cloud: Cloud,
        /// The metering resource. Authentication is at `/authenticate/` of the same origin.
        #[serde(default = "production")]
        pub url: String,
        /// The most records in one request. Clazar publishes no limit; 500 is a careful choice, and a call that is refused as a whole is
        /// halved anyway.
        #[serde(default = "five_hundred")]
        #[schemars(range(min = 1))]
        pub charges_per_call: u32,
    }
}

meterhost_sdk::config! {
    /// A marketplace.
    #[derive(Default, Copy, PartialEq, Eq)]
    #[serde(rename_all = "lowercase")]
    pub enum Cloud {
        /// AWS Marketplace.
        #[default]
        Aws,
        /// Azure Marketplace.
        Azure,
        /// Google Cloud Marketplace.
        Gcp,
    }
}

fn production() -> String {
    "https://api.clazar.io/metering/".into()
}

fn five_hundred() -> u32 {
    500
}

impl Cloud {
    /// The service's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Cloud::Aws => "aws",
            Cloud::Azure => "azure",
            Cloud::Gcp => "gcp",
        }
    }
}

/// The addresses of a service.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) cloud: Cloud,
    pub(crate) authenticate: String,
    pub(crate) metering: String,
}

impl Config {
    /// The addresses, or what is wrong with the configuration, for a person.
    pub(crate) fn validated(&self) -> Result<Target, String> {
        if self.charges_per_call == 0 {
            return Err("`charges_per_call` is 0: a request holds at least 1 record".into());
        }
        let wrong = |what: &str| Err(format!("`url` is \"{}\": {what}", self.url));
        let rest = self.url.strip_prefix("https://").or_else(|| self.url.strip_prefix("http://"));
        let Some(rest) = rest else {
            return wrong("it has to begin with https:// (or http://)");
        };
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if host.is_empty() {
            return wrong("it names no host");
        }
        if host.contains('@') {
            return wrong("user and password do not belong there; `grant.secrets` has `client_id` and `client_secret`");
        }
        if rest.contains(['?', '#']) {
            return wrong("it has to end with its path, such as /metering/");
        }
        if !rest.contains('/') || rest.contains(|odd: char| odd.is_whitespace() || odd.is_control()) {
            return wrong("it has to be a whole address, such as https://api.clazar.io/metering/");
        }
        let scheme = self.url.strip_suffix(rest).unwrap_or_default();
        Ok(Target {
            cloud: self.cloud,
            authenticate: format!("{scheme}{host}/authenticate/"),
            metering: self.url.clone(),
        })
    }
}
