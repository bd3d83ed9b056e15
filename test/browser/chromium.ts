/** A real Chromium on a page of ours, bundled and served here. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { build } from "esbuild";
import { chromium, type Page } from "playwright-core";
import type { ContentId } from "../../shared/store/store.ts";

const CANDIDATES = [
  process.env.TOUCHSTONE_CHROMIUM,
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The browser's executable, if this machine has one; TOUCHSTONE_CHROMIUM names another. */
export const CHROMIUM = CANDIDATES.find((file) => file !== undefined && existsSync(file));

/** Why a test cannot run here, for its `skip`. */
export const NO_CHROMIUM =
  CHROMIUM === undefined ? "NO CHROMIUM on this machine: install it, or name it in TOUCHSTONE_CHROMIUM" : false;

const ONNXRUNTIME = path.dirname(createRequire(import.meta.url).resolve("onnxruntime-web"));

export interface PageOptions {
  /** Files of the store that the page fetches from `/store`. */
  readonly store: ReadonlyMap<ContentId, Uint8Array>;
  /** Software WebGPU, with the build of onnxruntime-web that uses it. */
  readonly webgpu?: boolean;
}

/** Opens the page, calls `use` with it and the store's URL, and closes everything. */
export async function withPage<T>(options: PageOptions, use: (page: Page, store: string) => Promise<T>): Promise<T> {
  const { store, webgpu = false } = options;
  const bundle = await build({
    entryPoints: [path.join(import.meta.dirname, "page.ts")],
    ...{ bundle: true, format: "esm", platform: "browser", target: "es2024", write: false, logLevel: "error" },
    ...(webgpu ? { alias: { "onnxruntime-web": "onnxruntime-web/webgpu" } } : {}),
  });
  const script = bundle.outputFiles[0]!.contents;
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url!, "http://localhost");
    const [, folder, name = ""] = pathname.split("/");
    const send = (type: string, body: Uint8Array | string): void => {
      response.writeHead(200, { "content-type": type }).end(body);
    };
    if (pathname === "/") send("text/html", '<!doctype html><script type="module" src="/page.js"></script>');
    else if (pathname === "/page.js") send("text/javascript", script);
    else if (folder === "store" && store.has(name as ContentId)) {
      send("application/octet-stream", store.get(name as ContentId)!);
    } else if (folder === "onnxruntime" && /^ort-wasm[\w.-]+\.(mjs|wasm)$/.test(name)) {
      send(
        name.endsWith(".mjs") ? "text/javascript" : "application/wasm",
        await readFile(path.join(ONNXRUNTIME, name)),
      );
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const gpu = webgpu
    ? ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"]
    : ["--disable-gpu"];
  const browser = await chromium.launch({
    executablePath: CHROMIUM!,
    headless: true,
    args: ["--no-sandbox", "--disable-dev-shm-usage", ...gpu],
  });
  try {
    const page = await browser.newPage();
    await page.goto(origin);
    await page.waitForFunction("globalThis.replayFirstSegment !== undefined");
    return await use(page, `${origin}/store`);
  } finally {
    await browser.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}
