package hint

// VersionRefused is about stores that list a version of each object of a bucket without versioning, and then answer its
// HEAD with 400.
const VersionRefused = "the bucket may never have had versioning: " +
	"scan without --all-versions, or name objects without version_id"
