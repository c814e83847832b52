// Reads [{tex, display}, ...] from standard input; writes, for each formula,
// {html} or {error}. KaTeX comes from the folder named on the command line.
const katex = require(require("path").join(process.argv[2], "katex"));
const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
const typeset = ({ tex, display }) => {
  try {
    const options = { displayMode: display, strict: "error", trust: false };
    return { html: katex.renderToString(tex, options) };
  } catch (error) {
    return { error: error.message };
  }
};
process.stdout.write(JSON.stringify(formulas.map(typeset)));
