// Reads {css: [files], content: [files]} from standard input; writes, for
// each style sheet, its name and the rules of it that the content can use.
const { PurgeCSS } = require(require("path").join(process.argv[2], "purgecss"));
const given = JSON.parse(require("fs").readFileSync(0, "utf8"));
new PurgeCSS()
  .purge({ ...given, safelist: { greedy: [/data-theme/, /data-mode/] } })
  .then((made) => {
    const sheets = made.map(({ file, css }) => [file, css]);
    process.stdout.write(JSON.stringify(Object.fromEntries(sheets)));
  });
