import { defineConfig, type Plugin } from 'vite';

/** Holds the first paint until the script has set the colours, so a chosen theme never flashes. */
const blockingRender: Plugin = {
  name: 'blocking-render',
  transformIndexHtml: {
    order: 'post',
    handler: (html) => html.replace('<script type="module"', '<script blocking="render" type="module"'),
  },
};

export default defineConfig({
  plugins: [blockingRender],
  build: {
    outDir: 'dist',
    // The content security policy allows no data: scripts or styles; every file has its own hashed name.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox121', 'safari17.5'],
  },
  server: { proxy: { '/api': process.env['TALLYHOUSE_API'] ?? 'http://127.0.0.1:8000' } },
});
