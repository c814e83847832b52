// A page opened from disk may not read other pages, from which the search
// takes the lines around a word. `page-texts.js` holds them for this case.
if (location.protocol === "file:") {
  const texts = new Promise((resolve) => (window.bookTexts = resolve));
  const script = document.createElement("script");
  script.src = new URL("../page-texts.js", document.currentScript.src).href;
  document.head.append(script);
  window.fetch = async (address) => {
    const page = String(address).replace(/^(\.\/)+/, "").split("#")[0];
    return new Response((await texts)[page] ?? "");
  };
}
