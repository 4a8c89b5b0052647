//! The machine and the versions, for the report.

use std::{fmt, process::Command};

use crate::system::GradioPlaces;

/// What is measured on, and what with.
#[derive(Debug)]
pub(crate) struct Machine {
    processor: String,
    cores: String,
    memory: String,
    kernel: String,
    gradio: Option<String>,
}

impl Machine {
    pub(crate) fn look(gradio: Option<&GradioPlaces>) -> Self {
        let unknown = || "unknown".to_owned();
        Self {
            processor: field("/proc/cpuinfo", "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or_else(|_| unknown(), |cores| cores.to_string()),
            memory: field("/proc/meminfo", "MemTotal").unwrap_or_else(unknown),
            kernel: std::fs::read_to_string("/proc/sys/kernel/osrelease")
                .map_or_else(|_| unknown(), |kernel| kernel.trim().to_owned()),
            gradio: gradio.map(|places| versions(places).unwrap_or_else(unknown)),
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(gradio) = &self.gradio {
            writeln!(f, "- {gradio}")?;
        }
        writeln!(
            f,
            "- {} cores of {}, {} of memory, Linux {}",
            self.cores, self.processor, self.memory, self.kernel
        )
    }
}

/// The value of the first line `name : value` of a file.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    text.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        (key.trim() == name).then(|| value.trim().to_owned())
    })
}

fn versions(gradio: &GradioPlaces) -> Option<String> {
    const ASK: &str =
        "import platform, gradio; print(f'Gradio {gradio.__version__} on Python {platform.python_version()}')";
    let output = Command::new(&gradio.python).args(["-c", ASK]).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
