//! Parameters, as `--set` takes them.

use juyi::error::{Error, Result};
use serde_json::{Map as JsonMap, Value};

/// `key=value[,key=value…]`, each key once.
pub(crate) fn params(set: &[String]) -> Result<JsonMap<String, Value>> {
    let mut params = JsonMap::new();
    for pair in set.iter().flat_map(|set| set.split(',')) {
        let Some((key, value)) = pair.split_once('=').map(|(key, value)| (key.trim(), value.trim())) else {
            return Err(Error::input(
                "`--set`",
                format!("`{pair}` has no `=`"),
                "write `--set components=30,kernel=rbf`",
            ));
        };
        if params.insert(key.to_string(), Value::from(value)).is_some() {
            return Err(Error::input("`--set`", format!("names `{key}` twice"), "set each parameter once"));
        }
    }
    Ok(params)
}
