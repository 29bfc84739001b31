package store

// Region returns the region that requests are signed for.
func (s *Store) Region() string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.aws.Region
}

// EndpointIn returns the endpoint whose turn is the n-th as it would be in another region, which an answer has named.
// A request to it shows whether the bucket is there, before SwitchRegion. ok is false where region cannot be the name
// of a region, holds a secret that the answer echoes, or is the present one, and where the Store has switched before.
func (s *Store) EndpointIn(region string, n int) (e *Endpoint, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.switched || region == s.aws.Region || !isRegionName(region) || s.Redact(region) != region {
		return nil, false
	}
	return s.newEndpoints(region)[n%len(s.endpoints)], true
}

// SwitchRegion signs all later requests for region, which a response named in x-amz-bucket-region; the request was
// signed for sentTo. The caller has found out that the region answers (EndpointIn). SwitchRegion reports whether to
// send the request again: true if the present region is not the one that the request was signed for. A Store switches
// once: two endpoints that name each other's region cannot keep a run going forever.
func (s *Store) SwitchRegion(sentTo, region string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if region == sentTo || !isRegionName(region) {
		return false
	}
	if s.switched || region == s.aws.Region {
		return region == s.aws.Region
	}
	s.switched = true
	s.aws.Region = region
	s.endpoints = s.newEndpoints(region)
	s.generation.Add(1)
	return true
}

// regionNameMax is the longest label of a host's name, of which a region is a part.
// https://www.rfc-editor.org/rfc/rfc1035#section-2.3.4
const regionNameMax = 63

// isRegionName reports whether an answer may name a region so. AWS's are us-east-1 and the like; other stores have
// names such as RegionOne and default.
func isRegionName(name string) bool {
	for i, b := range []byte(name) {
		alphanumeric := b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9'
		if !alphanumeric && (i == 0 || b != '-' && b != '_') {
			return false
		}
	}
	return name != "" && len(name) <= regionNameMax
}
