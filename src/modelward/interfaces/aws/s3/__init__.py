"""The part of the object store's interface that clients of models need: buckets, objects, uploads in parts."""
