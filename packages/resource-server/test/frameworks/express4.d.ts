// Express 4 under a second name, seen with the types of Express 5: what is used of them here is the same.
declare module 'express4' {
  import express from 'express';

  export default express;
}
