/** Whether all is to be tried, where a part is enough for each day: `npm run test:long`. */
export const everything = process.env["TEST_EVERYTHING"] === "true"
