// Search in pages that are opened from disk: browsers start no worker from a file, so that the
// worker's script runs in a hidden frame instead. The theme asks for this class by its name.
if (location.protocol === "file:") {
  window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      frame.hidden = true;
      frame.srcdoc = "<!doctype html><body>";
      this.ready = new Promise((resolve) => {
        frame.addEventListener("load", () => {
          const inside = frame.contentWindow;
          const load = (source) =>
            new Promise((loaded) => {
              const script = inside.document.createElement("script");
              script.src = source;
              script.addEventListener("load", loaded);
              inside.document.body.append(script);
            });
          inside.postMessage = (data) => this.dispatchEvent(new MessageEvent("message", { data }));
          inside.importScripts = (...sources) =>
            sources.reduce((earlier, source) => earlier.then(() => load(source)), Promise.resolve());
          load(url).then(() => resolve(inside));
        });
      });
      document.body.append(frame);
    }

    postMessage(data) {
      this.ready.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data })));
    }
  };
  window.Worker = window.IFrameWorker;
}
