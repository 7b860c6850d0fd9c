//! Where networks run: the processor, or an accelerator that the build knows.

use std::str::FromStr;
use std::sync::OnceLock;

use burn::tensor::Device;
use juyi::error::{Error, Result};

/// What was chosen for this process; the processor if nothing was.
static CHOSEN: OnceLock<Kind> = OnceLock::new();

/// A kind of device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The processor.
    Cpu,
    /// The first NVIDIA device.
    #[cfg(feature = "cuda")]
    Cuda,
    /// The device that the system prefers, by Vulkan, Metal or `DirectX`.
    #[cfg(feature = "wgpu")]
    Wgpu,
}

impl FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "cpu" => Ok(Self::Cpu),
            #[cfg(feature = "cuda")]
            "cuda" => Ok(Self::Cuda),
            #[cfg(feature = "wgpu")]
            "wgpu" => Ok(Self::Wgpu),
            _ => Err(Error::Param {
                owner: "juyi".into(),
                name: "‹device›".into(),
                must: "cpu, or cuda or wgpu in a build with that feature".into(),
                got: text.into(),
            }),
        }
    }
}

/// Chooses for this process; a later choice changes nothing.
pub fn choose(kind: Kind) {
    let _ = CHOSEN.set(kind);
}

/// Where networks run.
pub fn device() -> Device {
    match CHOSEN.get().copied().unwrap_or(Kind::Cpu) {
        Kind::Cpu => Device::flex(),
        #[cfg(feature = "cuda")]
        Kind::Cuda => Device::cuda(0),
        #[cfg(feature = "wgpu")]
        Kind::Wgpu => Device::wgpu(burn::tensor::DeviceKind::DefaultDevice),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_that_there_is_not_is_named() {
        assert_eq!("cpu".parse::<Kind>().unwrap(), Kind::Cpu);
        assert!("tpu".parse::<Kind>().unwrap_err().to_string().contains("tpu"));
    }
}
