#!/usr/bin/env bash
# Makes the vendored assets of the web pages again, each with its licence. For maintainers; needs npm.
# The versions are pinned here and nowhere else: change one, run this, look at the pages, commit what changed.
set -euo pipefail

HTMX=4.0.1
PICO=2.1.1
VEGA=6.4.0
VEGA_LITE=6.5.0
VEGA_EMBED=7.3.0
ESBUILD=0.28.2

here="$(cd "$(dirname "$0")/.." && pwd)"
target="$here/src/modelward/interfaces/web/static/vendor"
build="$(mktemp -d)"
trap 'rm -rf "$build"' EXIT
mkdir -p "$target"
cd "$build"

unpack() {  # name@version -> folder ./package
  rm -rf package
  tar -xzf "$(npm pack --silent "$1")"
}

unpack "htmx.org@$HTMX"
cp package/dist/htmx.min.js "$target/htmx.min.js"
cp package/LICENSE "$target/htmx.LICENSE.txt"

unpack "@picocss/pico@$PICO"
cp package/css/pico.min.css "$target/pico.min.css"
cp package/LICENSE.md "$target/pico.LICENSE.txt"

# One file with the global `vegaEmbed`; it carries the interpreter that needs no eval ({ast: true}).
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts \
  "vega@$VEGA" "vega-lite@$VEGA_LITE" "vega-embed@$VEGA_EMBED" "esbuild@$ESBUILD"
echo 'import embed from "vega-embed"; globalThis.vegaEmbed = embed;' > entry.js
npx esbuild entry.js --bundle --minify --format=iife --target=es2020 --legal-comments=none \
  --metafile=meta.json --log-level=error --outfile="$target/vega.min.js"
# The notice of every package that is in the bundle, as its licence asks.
node -e '
const fs = require("fs"), inputs = Object.keys(require("./meta.json").inputs);
const folders = [...new Set(inputs.map(f => (f.match(/^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/) || [])[0]).filter(Boolean))].sort();
for (const folder of folders) {
  const about = JSON.parse(fs.readFileSync(folder + "/package.json"));
  const notice = fs.readdirSync(folder).find(f => /^licen[cs]e/i.test(f));
  console.log(`==== ${about.name} ${about.version} (${about.license})\n`);
  if (notice) console.log(fs.readFileSync(folder + "/" + notice, "utf8").trim() + "\n");
}' > "$target/vega.LICENSE.txt"

cat > "$target/VERSIONS.txt" <<END
htmx.org $HTMX
@picocss/pico $PICO
vega $VEGA
vega-lite $VEGA_LITE
vega-embed $VEGA_EMBED
END
ls -l "$target"
