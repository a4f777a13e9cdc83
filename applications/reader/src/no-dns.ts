/** In place of node:dns, which a browser has not: the address of the server is asked for by HTTPS. */
export default {};
