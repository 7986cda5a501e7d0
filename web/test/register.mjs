// Lets Node 20 import the TypeScript of src/ and test/ as it is, with the compiler that Vite brings.
import { register } from 'node:module';
register('./loader.mjs', import.meta.url);
