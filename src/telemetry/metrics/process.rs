//! What this process is.

use prometheus::{IntGauge, Result};

use super::{Metrics, register::Register};

/// Which build runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildInfo {
    /// The version of the package.
    pub version: String,
    /// The commit it was built from, or `unknown`.
    pub commit: String,
}

impl BuildInfo {
    /// This build; the commit is what `FAXPLUS_GATEWAY_COMMIT` said when it was compiled.
    pub fn current() -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            commit: option_env!("FAXPLUS_GATEWAY_COMMIT").unwrap_or("unknown").to_owned(),
        }
    }
}

#[derive(Debug)]
pub(super) struct ProcessSeries {
    sandbox: IntGauge,
}

impl ProcessSeries {
    pub(super) fn new(register: &Register<'_>, build: BuildInfo) -> Result<Self> {
        let info = register.gauges("build_info", "The running build; always 1.", &["version", "commit"])?;
        info.get_metric_with_label_values(&[build.version, build.commit])?.set(1);
        Ok(Self { sandbox: register.gauge("sandbox", "1 when upstream is the simulated fax.plus, else 0.")? })
    }
}

impl Metrics {
    /// Whether upstream is the simulated fax.plus.
    pub fn set_sandbox(&self, simulated: bool) {
        self.process.sandbox.set(i64::from(simulated));
    }
}
